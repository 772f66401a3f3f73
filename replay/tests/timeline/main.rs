//! The rules of moving through time: on written examples, and as properties of generated programs
//! against a reference that looks at every event.

mod program;
mod properties;
mod reference;
mod rules;
