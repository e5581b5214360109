//! killed by: picture, as not_transformed
//! Resized, and no more.

        let path = self.image_folder.join(&self.image_filenames[index]);
        let picture = self.transform.resize_u8(&load_image(&path, index)?)?;
        let s = self.transform.size;
        let pixels: Vec<f32> = picture.as_raw().iter().map(|v| f32::from(*v) / 255.).collect();
        let image = Tensor::from_vec(pixels, (s, s, 3), &Device::Cpu)?;
        let image = image.permute((2, 0, 1))?.contiguous()?;
        Ok(Item {
            image,
            input_ids: self.encoded_captions.input_ids.get(index)?,
            attention_mask: self.encoded_captions.attention_mask.get(index)?,
            caption: self.captions[index].clone(),
        })
