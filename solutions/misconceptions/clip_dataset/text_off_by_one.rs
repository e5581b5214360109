//! killed by: text, as other_text
//! Counted from one.

        let path = self.image_folder.join(&self.image_filenames[index]);
        let image = self.transform.apply(&load_image(&path, index)?)?;
        Ok(Item {
            image,
            input_ids: self.encoded_captions.input_ids.get((index + 1) % self.len())?,
            attention_mask: self.encoded_captions.attention_mask.get(index)?,
            caption: self.captions[index].clone(),
        })
