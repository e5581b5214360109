//! killed by: hard, as soft_at_inference
//! Probabilities at the temperature, without noise.

    match noise {
        Some(noise) => Ok(softmax(&((logits + noise)? / temperature)?, 1)?),
        None => {
            Ok(softmax(&(logits / temperature)?, 1)?)
        }
    }
