//! Which filter matches which topic (section 4.7), the plain way: level by level.

/// Whether a valid filter matches a valid topic name.
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['#', '+']) {
        return false;
    }
    let levels: Vec<&str> = topic.split('/').collect();
    let wanted: Vec<&str> = filter.split('/').collect();
    for (at, level) in wanted.iter().enumerate() {
        match (*level, levels.get(at)) {
            // Also where the topic has ended: `a/#` matches `a`.
            ("#", _) => return true,
            (_, None) => return false,
            ("+", Some(_)) => {}
            (literal, Some(level)) if literal == *level => {}
            _ => return false,
        }
    }
    wanted.len() == levels.len()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn as_in_section_4_7() {
        for (filter, topic) in [
            ("a/#", "a"),
            ("a/#", "a/b/c"),
            ("+/+", "/x"),
            ("/+", "/x"),
            ("#", "/"),
            ("$a/#", "$a/b"),
        ] {
            assert!(matches(filter, topic), "{filter} {topic}");
        }
        for (filter, topic) in
            [("a/+", "a"), ("+", "/x"), ("a", "a/"), ("#", "$a"), ("+/b", "$a/b"), ("a/b/#", "a")]
        {
            assert!(!matches(filter, topic), "{filter} {topic}");
        }
    }
}
