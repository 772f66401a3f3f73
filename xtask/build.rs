//! Tells the tasks which platform they were built for.

fn main() {
    println!(
        "cargo::rustc-env=TARGET={}",
        std::env::var("TARGET").unwrap_or_default()
    );
}
