//! killed by: dropped, as scaled
//! The rest is scaled up.

// HOLE 2
        let mut shape = vec![1; condition.rank()];
        shape[0] = condition.dim(0)?;
        let share = keep.mean_all()?.to_scalar::<f32>()?;
        Ok((condition.broadcast_mul(&keep.reshape(shape)?)? / f64::from(share))?)
