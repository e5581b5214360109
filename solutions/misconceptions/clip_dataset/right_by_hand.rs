//! right
//! Resized by the transform, normalised by hand.

        let path = self.image_folder.join(&self.image_filenames[index]);
        let Transform { size, mean, std, .. } = &self.transform;
        let picture = self.transform.resize_u8(&load_image(&path, index)?)?;
        let pixels: Vec<f32> = picture.as_raw().iter().map(|v| f32::from(*v) / 255.).collect();
        let image = Tensor::from_vec(pixels, (*size, *size, 3), &Device::Cpu)?;
        let mean = Tensor::new(mean, &Device::Cpu)?;
        let std = Tensor::new(std, &Device::Cpu)?;
        let image = image.broadcast_sub(&mean)?.broadcast_div(&std)?.permute((2, 0, 1))?.contiguous()?;
        Ok(Item {
            image,
            input_ids: self.encoded_captions.input_ids.get(index)?,
            attention_mask: self.encoded_captions.attention_mask.get(index)?,
            caption: self.captions[index].clone(),
        })
