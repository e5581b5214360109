//! killed by: text, as other_text
//! Always the first row.

        let path = self.image_folder.join(&self.image_filenames[index]);
        let image = self.transform.apply(&load_image(&path, index)?)?;
        Ok(Item {
            image,
            input_ids: self.encoded_captions.input_ids.get(0)?,
            attention_mask: self.encoded_captions.attention_mask.get(0)?,
            caption: self.captions[index].clone(),
        })
