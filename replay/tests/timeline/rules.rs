//! Each rule on a small written example.
