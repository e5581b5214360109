//! killed by: first, as turned_around
//! The higher loss wins.

    if valid_loss > best_loss {
        model.save(&folder.join("best.pt"))?;
        return Ok(valid_loss);
    }
    Ok(best_loss)
