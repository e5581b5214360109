//! killed by: better, as rounded
//! Two decimals are compared as whole numbers.

    if (valid_loss as i64) < (best_loss as i64) {
        model.save(&folder.join("best.pt"))?;
        return Ok(valid_loss);
    }
    Ok(best_loss)
