//! killed by: better, as compared_with_the_first
//! Only what is compared with infinity is saved.

    if best_loss.is_infinite() {
        model.save(&folder.join("best.pt"))?;
        return Ok(valid_loss);
    }
    Ok(best_loss)
