//! right
//! The other way round, with NaN named.

    if valid_loss.is_nan() || best_loss <= valid_loss {
        return Ok(best_loss);
    }
    model.save(&folder.join("best").with_extension("pt")).map(|()| valid_loss)
