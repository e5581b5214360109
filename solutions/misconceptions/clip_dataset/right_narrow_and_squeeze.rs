//! right
//! Rows by narrow and squeeze; the text before the picture.

        let row = |table: &Tensor| table.narrow(0, index, 1)?.squeeze(0);
        let (input_ids, attention_mask) =
            (row(&self.encoded_captions.input_ids)?, row(&self.encoded_captions.attention_mask)?);
        let picture = load_image(&self.image_folder.join(self.image_filename(index)), index)?;
        let caption = self.captions[index].to_string();
        Ok(Item { image: self.transform.apply(&picture)?, input_ids, attention_mask, caption })
