//! Files as the protocol names them.

use std::path::{Path, PathBuf};

use gen_lsp_types::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stands as it is in the path of a URI.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The file a URI names; `None` for what is none on this computer.
pub(super) fn path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_ref().strip_prefix("file://")?;
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let path = &*percent_decode_str(path).decode_utf8().ok()?;
    // `/c:/folder`
    let is_drive = cfg!(windows) && path.as_bytes().get(2) == Some(&b':');
    let path = if is_drive { path.get(1..)? } else { path };
    path.starts_with('/').then(|| PathBuf::from(path)).or_else(|| is_drive.then(|| path.into()))
}

/// The URI of a file with an absolute path.
pub(super) fn uri(path: &Path) -> Uri {
    let path = path.to_string_lossy().replace('\\', if cfg!(windows) { "/" } else { "\\" });
    let root = if path.starts_with('/') { "" } else { "/" };
    Uri(format!("file://{root}{}", utf8_percent_encode(&path, ESCAPED)))
}

/// How the name of the file ends, behind its last point.
pub(super) fn ending(uri: &Uri) -> &str {
    let name = uri.as_ref().rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for path in ["/a/b.script", "/a b/\u{fc}%/c#d?.test", "/"] {
            let uri = uri(Path::new(path));
            assert_eq!(super::path(&uri).as_deref(), Some(Path::new(path)), "{uri}");
        }
        assert_eq!(uri(Path::new("/a b/c.test")).as_ref(), "file:///a%20b/c.test");
        for none in ["untitled:Untitled-1", "file:", "http://a/b", "file://host/a", "file:///%ff"] {
            assert_eq!(path(&Uri(none.into())), None, "{none}");
        }
        assert_eq!(ending(&Uri("file:///a.b/c.script".into())), "script");
        assert_eq!(ending(&Uri("untitled:a".into())), "");
    }
}
