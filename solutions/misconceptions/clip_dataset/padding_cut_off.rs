//! killed by: batch, as not_padded
//! Only as long as the caption itself.

        let path = self.image_folder.join(&self.image_filenames[index]);
        let image = self.transform.apply(&load_image(&path, index)?)?;
        let row = self.encoded_captions.attention_mask.get(index)?;
        let length = row.to_dtype(DType::F32)?.sum_all()?.to_scalar::<f32>()?;
        Ok(Item {
            image,
            input_ids: self.encoded_captions.input_ids.get(index)?.narrow(0, 0, length as usize)?,
            attention_mask: self.encoded_captions.attention_mask.get(index)?,
            caption: self.captions[index].clone(),
        })
