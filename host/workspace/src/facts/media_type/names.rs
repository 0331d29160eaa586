//! What the end of a name says of a file.

/// When a name is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belief {
    /// If the content is text.
    Text,
    /// If the content is not text and has no mark of its own.
    Bytes,
    /// Either.
    Any,
    /// If the content is a TIFF: these have no mark of their own.
    Raw,
    /// Only if there is nothing to read: the content of such a file shows what it is.
    Empty,
}

/// Office Open XML documents, the plain kind first.
pub(super) const WORD: &[&str] = &[
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template",
    "application/vnd.ms-word.document.macroEnabled.12",
];
/// Office Open XML spreadsheets, the plain kind first.
pub(super) const CELLS: &[&str] = &[
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
    "application/vnd.ms-excel.sheet.macroEnabled.12",
    "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
];
/// Office Open XML presentations, the plain kind first.
pub(super) const SLIDES: &[&str] = &[
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.presentationml.template",
    "application/vnd.openxmlformats-officedocument.presentationml.slideshow",
    "application/vnd.ms-powerpoint.presentation.macroEnabled.12",
];
/// Formats that are ZIP archives and have no mark that is looked for.
pub(super) const ZIPPED: &[&str] = &[
    "application/epub+zip",
    "application/java-archive",
    "application/vnd.comicbook+zip",
    "application/vnd.google-earth.kmz",
    "application/x-xpinstall",
    "application/vnd.apple.pages",
    "application/vnd.apple.numbers",
    "application/vnd.apple.keynote",
    "application/oxps",
    "application/vnd.ms-xpsdocument",
    "model/3mf",
];

/// The kind that the extension of `name` stands for.
pub(super) fn by_extension(name: &[u8]) -> Option<(&'static str, Belief)> {
    let dot = name.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0)?;
    let extension = std::str::from_utf8(&name[dot + 1..]).ok().filter(|end| end.len() <= 12)?.to_ascii_lowercase();
    let (_, kind, belief) = TABLE.iter().find(|(ends, ..)| ends.split(' ').any(|end| end == extension))?;
    Some((kind, *belief))
}

use Belief::{Any, Bytes, Empty, Raw, Text};

const TABLE: &[(&str, &str, Belief)] = &[
    // Text and data in text.
    ("txt text log ini cfg conf lst nfo diz properties env", "text/plain", Text),
    ("md markdown mkd", "text/markdown", Text),
    ("csv", "text/csv", Text),
    ("tsv tab", "text/tab-separated-values", Text),
    ("html htm xhtml", "text/html", Text),
    ("css", "text/css", Text),
    ("js mjs cjs", "text/javascript", Text),
    ("ts tsx", "text/x-typescript", Text),
    ("json geojson ipynb har", "application/json", Text),
    ("jsonl ndjson", "application/x-ndjson", Text),
    ("xml xsd xsl xslt rss atom aae", "application/xml", Text),
    ("plist", "application/xml", Text),
    ("yaml yml", "application/yaml", Text),
    ("toml", "application/toml", Text),
    ("sql", "application/sql", Text),
    ("ics ical ifb", "text/calendar", Text),
    ("vcf vcard", "text/vcard", Text),
    ("eml mht mhtml", "message/rfc822", Text),
    ("mbox", "application/mbox", Text),
    ("rst", "text/x-rst", Text),
    ("org", "text/org", Text),
    ("adoc asciidoc", "text/asciidoc", Text),
    ("tex sty cls ltx", "text/x-tex", Text),
    ("bib", "text/x-bibtex", Text),
    ("ris", "application/x-research-info-systems", Text),
    ("diff patch", "text/x-diff", Text),
    ("py pyw", "text/x-python", Text),
    ("rs", "text/x-rust", Text),
    ("c h", "text/x-c", Text),
    ("cpp cc cxx hpp hh", "text/x-c++", Text),
    ("java", "text/x-java", Text),
    ("kt kts", "text/x-kotlin", Text),
    ("go", "text/x-go", Text),
    ("rb", "text/x-ruby", Text),
    ("pl pm", "text/x-perl", Text),
    ("php", "application/x-httpd-php", Text),
    ("lua", "text/x-lua", Text),
    ("r", "text/x-r", Text),
    ("swift", "text/x-swift", Text),
    ("cs", "text/x-csharp", Text),
    ("sh bash zsh", "application/x-sh", Text),
    ("bat cmd", "application/x-bat", Text),
    ("ps1", "application/x-powershell", Text),
    ("desktop", "application/x-desktop", Text),
    ("url webloc", "application/x-mswinurl", Text),
    ("srt", "application/x-subrip", Text),
    ("vtt", "text/vtt", Text),
    ("lrc", "text/x-lrc", Text),
    ("m3u m3u8", "audio/x-mpegurl", Text),
    ("xmp", "application/rdf+xml", Text),
    ("gpx", "application/gpx+xml", Text),
    ("kml", "application/vnd.google-earth.kml+xml", Text),
    ("svg", "image/svg+xml", Text),
    ("xpm", "image/x-xpixmap", Text),
    ("obj", "model/obj", Text),
    ("gltf", "model/gltf+json", Text),
    ("step stp", "model/step", Text),
    ("dxf", "image/vnd.dxf", Text),
    ("gcode", "text/x-gcode", Text),
    ("asc pem crt cer csr", "application/x-pem-file", Text),
    ("torrent", "application/x-bittorrent", Any),
    ("stl", "model/stl", Any),
    // No reliable mark.
    ("iso", "application/x-iso9660-image", Bytes),
    ("dmg", "application/x-apple-diskimage", Bytes),
    ("img vhd vmdk", "application/x-raw-disk-image", Bytes),
    ("apk", "application/vnd.android.package-archive", Bytes),
    ("tga", "image/x-tga", Bytes),
    ("heic", "image/heic", Empty),
    ("heif", "image/heif", Empty),
    ("mp3", "audio/mpeg", Bytes),
    ("aac", "audio/aac", Bytes),
    ("ac3", "audio/ac3", Bytes),
    ("wma", "audio/x-ms-wma", Bytes),
    ("wmv", "video/x-ms-wmv", Bytes),
    ("mts m2ts", "video/mp2t", Bytes),
    ("p12 pfx", "application/x-pkcs12", Bytes),
    ("gpg pgp", "application/pgp-encrypted", Any),
    ("pickle pkl", "application/octet-stream", Bytes),
    ("parquet", "application/vnd.apache.parquet", Bytes),
    ("exr", "image/x-exr", Bytes),
    ("hdr", "image/vnd.radiance", Bytes),
    ("xcf", "image/x-xcf", Bytes),
    ("ppm pgm pbm pnm", "image/x-portable-anymap", Any),
    ("au snd", "audio/basic", Bytes),
    ("icc icm", "application/vnd.iccprofile", Bytes),
    ("indd", "application/x-indesign", Bytes),
    ("blend", "application/x-blender", Bytes),
    ("glb", "model/gltf-binary", Bytes),
    ("eps", "application/postscript", Bytes),
    // Raw pictures.
    ("dng", "image/x-adobe-dng", Raw),
    ("nef nrw", "image/x-nikon-nef", Raw),
    ("arw sr2 srf", "image/x-sony-arw", Raw),
    ("pef", "image/x-pentax-pef", Raw),
    ("srw", "image/x-samsung-srw", Raw),
    ("3fr fff", "image/x-hasselblad-3fr", Raw),
    ("dcr kdc", "image/x-kodak-dcr", Raw),
    ("erf", "image/x-epson-erf", Raw),
    ("iiq", "image/x-phaseone-iiq", Raw),
    ("rwl", "image/x-leica-rwl", Raw),
    ("cr2", "image/x-canon-cr2", Raw),
    ("cr3", "image/x-canon-cr3", Empty),
    ("orf", "image/x-olympus-orf", Empty),
    ("rw2", "image/x-panasonic-rw2", Empty),
    ("raf", "image/x-fuji-raf", Bytes),
    // Content that shows what it is.
    ("jpg jpeg jpe jfif", "image/jpeg", Empty),
    ("png", "image/png", Empty),
    ("gif", "image/gif", Empty),
    ("webp", "image/webp", Empty),
    ("avif", "image/avif", Empty),
    ("jxl", "image/jxl", Empty),
    ("bmp dib", "image/bmp", Empty),
    ("ico", "image/vnd.microsoft.icon", Empty),
    ("tif tiff", "image/tiff", Empty),
    ("psd", "image/vnd.adobe.photoshop", Empty),
    ("pdf", "application/pdf", Empty),
    ("ps", "application/postscript", Empty),
    ("rtf", "application/rtf", Empty),
    ("doc dot", "application/msword", Empty),
    ("xls xlt", "application/vnd.ms-excel", Empty),
    ("ppt pps pot", "application/vnd.ms-powerpoint", Empty),
    ("msg", "application/vnd.ms-outlook", Empty),
    ("vsd", "application/vnd.visio", Empty),
    ("docx", WORD[0], Empty),
    ("dotx", WORD[1], Empty),
    ("docm", WORD[2], Empty),
    ("xlsx", CELLS[0], Empty),
    ("xltx", CELLS[1], Empty),
    ("xlsm", CELLS[2], Empty),
    ("xlsb", CELLS[3], Empty),
    ("pptx", SLIDES[0], Empty),
    ("potx", SLIDES[1], Empty),
    ("ppsx", SLIDES[2], Empty),
    ("pptm", SLIDES[3], Empty),
    ("odt", "application/vnd.oasis.opendocument.text", Empty),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet", Empty),
    ("odp", "application/vnd.oasis.opendocument.presentation", Empty),
    ("odg", "application/vnd.oasis.opendocument.graphics", Empty),
    ("fodt", "application/vnd.oasis.opendocument.text-flat-xml", Text),
    ("fods", "application/vnd.oasis.opendocument.spreadsheet-flat-xml", Text),
    ("fodp", "application/vnd.oasis.opendocument.presentation-flat-xml", Text),
    ("epub", "application/epub+zip", Empty),
    ("mobi azw azw3", "application/x-mobipocket-ebook", Empty),
    ("cbz", "application/vnd.comicbook+zip", Empty),
    ("cbr", "application/vnd.comicbook-rar", Empty),
    ("djvu djv", "image/vnd.djvu", Empty),
    ("pages", "application/vnd.apple.pages", Empty),
    ("numbers", "application/vnd.apple.numbers", Empty),
    ("key", "application/vnd.apple.keynote", Empty),
    ("wav", "audio/wav", Empty),
    ("flac", "audio/flac", Empty),
    ("ogg oga opus", "audio/ogg", Empty),
    ("ogv", "video/ogg", Empty),
    ("m4a m4b", "audio/mp4", Empty),
    ("aif aiff", "audio/x-aiff", Empty),
    ("mid midi", "audio/midi", Empty),
    ("amr", "audio/amr", Empty),
    ("mp4 m4v", "video/mp4", Empty),
    ("mov qt", "video/quicktime", Empty),
    ("webm", "video/webm", Empty),
    ("weba", "audio/webm", Empty),
    ("mkv", "video/matroska", Empty),
    ("mka", "audio/matroska", Empty),
    ("avi", "video/x-msvideo", Empty),
    ("mpg mpeg", "video/mpeg", Empty),
    ("3gp", "video/3gpp", Empty),
    ("flv", "video/x-flv", Empty),
    ("zip", "application/zip", Empty),
    ("tar", "application/x-tar", Empty),
    ("gz tgz", "application/gzip", Empty),
    ("bz2 tbz2", "application/x-bzip2", Empty),
    ("xz txz", "application/x-xz", Empty),
    ("zst tzst", "application/zstd", Empty),
    ("7z", "application/x-7z-compressed", Empty),
    ("rar", "application/vnd.rar", Empty),
    ("jar war", "application/java-archive", Empty),
    ("kmz", "application/vnd.google-earth.kmz", Empty),
    ("xpi", "application/x-xpinstall", Empty),
    ("xps", "application/vnd.ms-xpsdocument", Empty),
    ("oxps", "application/oxps", Empty),
    ("3mf", "model/3mf", Empty),
    ("deb", "application/vnd.debian.binary-package", Empty),
    ("rpm", "application/x-rpm", Empty),
    ("exe dll", "application/vnd.microsoft.portable-executable", Empty),
    ("msi", "application/x-msi", Empty),
    ("appimage", "application/x-executable", Empty),
    ("sqlite sqlite3", "application/vnd.sqlite3", Empty),
    ("ttf", "font/ttf", Empty),
    ("otf", "font/otf", Empty),
    ("ttc", "font/collection", Empty),
    ("woff", "font/woff", Empty),
    ("woff2", "font/woff2", Empty),
    ("wasm", "application/wasm", Empty),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_stands_for_one_kind() {
        let mut ends: Vec<&str> = TABLE.iter().flat_map(|(ends, ..)| ends.split(' ')).collect();
        let count = ends.len();
        ends.sort_unstable();
        ends.dedup();
        assert_eq!(ends.len(), count);
    }

    #[test]
    fn names() {
        for (name, expected) in [
            (&b"a.TXT"[..], Some(("text/plain", Text))),
            (b"archive.tar.gz", Some(("application/gzip", Empty))),
            (b".txt", None),
            (b"txt", None),
            (b"a.", None),
            (b"a.\xFF", None),
            (b"", None),
            (b".", None),
        ] {
            assert_eq!(by_extension(name), expected, "{name:?}");
        }
    }
}
