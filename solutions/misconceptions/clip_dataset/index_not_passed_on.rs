//! killed by: missing, as index_not_passed_on
//! The error is about another item.

        let path = self.image_folder.join(&self.image_filenames[index]);
        let image = self.transform.apply(&load_image(&path, 0)?)?;
        Ok(Item {
            image,
            input_ids: self.encoded_captions.input_ids.get(index)?,
            attention_mask: self.encoded_captions.attention_mask.get(index)?,
            caption: self.captions[index].clone(),
        })
