//! killed by: file, as other_file_name
//! The file of another tutorial.

    if valid_loss < best_loss {
        model.save(&folder.join("model.pt"))?;
        return Ok(valid_loss);
    }
    Ok(best_loss)
