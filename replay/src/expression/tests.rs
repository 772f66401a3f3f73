use super::*;

#[test]
fn a_log_message_has_text_and_expressions() {
    let template = Template::parse("{{a}} {d['}']} b").unwrap();
    assert!(matches!(
        template.parts(),
        [TemplatePart::Text(before), TemplatePart::Expression(expression), TemplatePart::Text(after)]
            if before == "{a} " && expression.text() == "d['}']" && after == " b"
    ));
    assert!(Template::parse("{a").is_err());
    assert!(Template::parse("a}").is_err());
}
