//! killed by: nan, as nan_wins
//! Not worse is taken for better.

    if valid_loss >= best_loss {
        return Ok(best_loss);
    }
    model.save(&folder.join("best.pt"))?;
    Ok(valid_loss)
