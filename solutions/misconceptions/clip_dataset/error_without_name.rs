//! killed by: missing, as error_without_name
//! An error that does not help.

        let path = self.image_folder.join(&self.image_filenames[index]);
        let picture = load_image(&path, index)
            .map_err(|_| Error::value("get", "a picture", "none"))?;
        let image = self.transform.apply(&picture)?;
        Ok(Item {
            image,
            input_ids: self.encoded_captions.input_ids.get(index)?,
            attention_mask: self.encoded_captions.attention_mask.get(index)?,
            caption: self.captions[index].clone(),
        })
