//! right
//! Rows by index_select.

        let path = self.image_folder.join(&self.image_filenames[index]);
        let at = Tensor::new(&[index as u32], &Device::Cpu)?;
        let input_ids = self.encoded_captions.input_ids.index_select(&at, 0)?.flatten_all()?;
        let attention_mask = self.encoded_captions.attention_mask.index_select(&at, 0)?.flatten_all()?;
        let image = load_image(&path, index).and_then(|picture| self.transform.apply(&picture))?;
        Ok(Item { image, input_ids, attention_mask, caption: self.captions[index].clone() })
