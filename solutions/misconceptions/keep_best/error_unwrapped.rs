//! killed by: full_disk, as error_swallowed
//! A full disk ends everything.

    if valid_loss < best_loss {
        model.save(&folder.join("best.pt")).unwrap();
        return Ok(valid_loss);
    }
    Ok(best_loss)
