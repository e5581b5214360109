//! killed by: file, as other_file_name
//! The folder itself as the file.

    if valid_loss < best_loss {
        model.save(folder)?;
        return Ok(valid_loss);
    }
    Ok(best_loss)
