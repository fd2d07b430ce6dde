//! The operands of actions.

/// An operand of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Side,
    Topic,
    Filter,
    Pin,
    Level,
    Duty,
    Mode,
    Url,
    Setting,
    FlashVariable,
    FlashValue,
    /// Any text, called this.
    Text(&'static str),
}

impl Operand {
    /// As messages show it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Operand::Side => "local|remote",
            Operand::Topic => "TOPIC",
            Operand::Filter => "FILTER",
            Operand::Pin => "PIN",
            Operand::Level => "0|1",
            Operand::Duty => "DUTY",
            Operand::Mode => "input|output",
            Operand::Url => "URL",
            Operand::Setting => "NAME",
            Operand::FlashVariable => "@N",
            Operand::FlashValue => "VALUE",
            Operand::Text(word) => word,
        }
    }
}
