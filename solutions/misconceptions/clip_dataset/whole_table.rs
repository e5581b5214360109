//! killed by: item, as whole_table
//! The ids of all captions.

        let path = self.image_folder.join(&self.image_filenames[index]);
        let image = self.transform.apply(&load_image(&path, index)?)?;
        Ok(Item {
            image,
            input_ids: self.encoded_captions.input_ids.clone(),
            attention_mask: self.encoded_captions.attention_mask.clone(),
            caption: self.captions[index].clone(),
        })
