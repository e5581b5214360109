//! killed by: sentences, as bare_label
//! The names alone.

    l2_normalize(&encode_text(class_names)?)
