use super::*;

#[test]
fn counts_have_separators_and_plurals() {
    assert_eq!(count(0), "0");
    assert_eq!(count(999), "999");
    assert_eq!(count(184_266), "184,266");
    assert_eq!(counted(1, "entry"), "1 entry");
    assert_eq!(counted(9_900, "element"), "9,900 elements");
    assert_eq!(counted(2, "entry"), "2 entries");
}
