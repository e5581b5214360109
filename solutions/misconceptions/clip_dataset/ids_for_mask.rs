//! killed by: text, as ids_for_mask
//! The ids twice.

        let path = self.image_folder.join(&self.image_filenames[index]);
        let image = self.transform.apply(&load_image(&path, index)?)?;
        Ok(Item {
            image,
            input_ids: self.encoded_captions.input_ids.get(index)?,
            attention_mask: self.encoded_captions.input_ids.get(index)?,
            caption: self.captions[index].clone(),
        })
