//! right
//! One picture at a time.

// HOLE 1
        let mut rows = Vec::new();
        for (i, a) in alpha_bar.to_vec1::<f32>()?.into_iter().enumerate() {
            let a = f64::from(a);
            rows.push(((x0.get(i)? * a.sqrt())? + (noise.get(i)? * (1. - a).sqrt())?)?);
        }
        Ok(Tensor::stack(&rows, 0)?)
