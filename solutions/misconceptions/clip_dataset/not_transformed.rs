//! killed by: item, as not_transformed
//! The pixels as they are.

        let path = self.image_folder.join(&self.image_filenames[index]);
        let picture = load_image(&path, index)?;
        let (w, h) = picture.dimensions();
        let pixels: Vec<f32> = picture.as_raw().iter().map(|v| f32::from(*v)).collect();
        let image = Tensor::from_vec(pixels, (h as usize, w as usize, 3), &Device::Cpu)?;
        let image = image.permute((2, 0, 1))?.contiguous()?;
        Ok(Item {
            image,
            input_ids: self.encoded_captions.input_ids.get(index)?,
            attention_mask: self.encoded_captions.attention_mask.get(index)?,
            caption: self.captions[index].clone(),
        })
