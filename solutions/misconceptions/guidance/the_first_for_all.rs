//! killed by: each_its_own, as one_for_all
//! The first picture's ᾱ.

// HOLE 1
        let a = f64::from(alpha_bar.to_vec1::<f32>()?[0]);
        Ok(((x0 * a.sqrt())? + (noise * (1. - a).sqrt())?)?)
