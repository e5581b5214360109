//! killed by: picture, as bgr
//! A cvtColor that nobody needs here.

        let path = self.image_folder.join(&self.image_filenames[index]);
        let image = self.transform.apply(&load_image(&path, index)?)?;
        Ok(Item {
            image: image.flip(&[0])?,
            input_ids: self.encoded_captions.input_ids.get(index)?,
            attention_mask: self.encoded_captions.attention_mask.get(index)?,
            caption: self.captions[index].clone(),
        })
