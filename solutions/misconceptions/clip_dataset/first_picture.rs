//! killed by: picture, as other_picture
//! Always the first file.

        let path = self.image_folder.join(&self.image_filenames[0]);
        let image = self.transform.apply(&load_image(&path, index)?)?;
        Ok(Item {
            image,
            input_ids: self.encoded_captions.input_ids.get(index)?,
            attention_mask: self.encoded_captions.attention_mask.get(index)?,
            caption: self.captions[index].clone(),
        })
