//! killed by: equal, as equal_is_better
//! Lower or equal.

    if valid_loss <= best_loss {
        model.save(&folder.join("best.pt"))?;
        return Ok(valid_loss);
    }
    Ok(best_loss)
