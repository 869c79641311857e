//! Lets a person choose one of several models.

use std::io::{self, BufRead, Write};

/// Shows the list and reads a number, or a name, until it is one of them. `None`: nothing was chosen.
///
/// # Errors
/// When the terminal cannot be read or written.
pub(super) fn choose(models: &[String], input: &mut impl BufRead, out: &mut impl Write) -> io::Result<Option<String>> {
    writeln!(out, "fanlight: which model is to be served?")?;
    for (at, model) in models.iter().enumerate() {
        writeln!(out, "{:>4}  {model}", at + 1)?;
    }
    loop {
        write!(out, "number or name: ")?;
        out.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 || line.trim().is_empty() {
            return Ok(None);
        }
        let said = line.trim();
        let numbered = said.parse::<usize>().ok().and_then(|number| models.get(number.checked_sub(1)?));
        if let Some(model) = numbered.or_else(|| models.iter().find(|model| *model == said)) {
            return Ok(Some(model.clone()));
        }
        writeln!(out, "{said} is none of them")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_a_name_chooses_and_nothing_is_nothing() {
        let models = ["a:7b".to_owned(), "b".to_owned()];
        let said = |text: &str| choose(&models, &mut text.as_bytes(), &mut Vec::new()).unwrap();
        assert_eq!(said("2\n"), Some("b".into()));
        assert_eq!(said("0\n9\na:7b\n"), Some("a:7b".into()));
        assert_eq!((said("\n"), said("")), (None, None));
    }
}
