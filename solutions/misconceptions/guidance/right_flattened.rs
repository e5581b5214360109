//! right
//! As a table with a row a picture.

// HOLE 1
        let a = alpha_bar.unsqueeze(1)?;
        let (x, e) = (x0.flatten_from(1)?, noise.flatten_from(1)?);
        let mixed = (x.broadcast_mul(&a.sqrt()?)? + e.broadcast_mul(&a.affine(-1., 1.)?.sqrt()?)?)?;
        Ok(mixed.reshape(x0.shape())?)
// HOLE 2
        let rows = condition.flatten_from(1)?.broadcast_mul(&keep.unsqueeze(1)?)?;
        Ok(rows.reshape(condition.shape())?)
