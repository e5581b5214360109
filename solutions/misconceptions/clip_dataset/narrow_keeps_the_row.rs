//! killed by: item, as extra_dimension
//! narrow keeps the dimension that get takes away.

        let path = self.image_folder.join(&self.image_filenames[index]);
        let image = self.transform.apply(&load_image(&path, index)?)?;
        Ok(Item {
            image,
            input_ids: self.encoded_captions.input_ids.narrow(0, index, 1)?,
            attention_mask: self.encoded_captions.attention_mask.narrow(0, index, 1)?,
            caption: self.captions[index].clone(),
        })
