//! What kinds of files there are, and how a file is known to be of one: by its content where that says enough, else by
//! the ending of its name. The whole table is here.

use crate::language::Language;
use deskhand_filing::name::extension;

/// A kind of files, with a folder of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// Photos, drawings, screenshots, RAW files.
    Pictures,
    /// Films and recordings.
    Videos,
    /// Music, speech, sheet music.
    Audio,
    /// Texts and PDF.
    Documents,
    /// Tables.
    Spreadsheets,
    /// Slides.
    Presentations,
    /// Books for readers.
    Books,
    /// Packed files and disk images.
    Archives,
    /// Installers, packages, AppImages, executables.
    Programs,
    /// Typefaces.
    Fonts,
    /// Source text and scripts.
    Code,
    /// Data for programs: JSON, databases, calendars, maps, 3D models.
    Data,
    /// What is none of these.
    Other,
}

impl Type {
    /// All types.
    pub const ALL: [Self; 13] = [
        Self::Pictures,
        Self::Videos,
        Self::Audio,
        Self::Documents,
        Self::Spreadsheets,
        Self::Presentations,
        Self::Books,
        Self::Archives,
        Self::Programs,
        Self::Fonts,
        Self::Code,
        Self::Data,
        Self::Other,
    ];

    /// The name of its folder.
    pub const fn folder(self, language: Language) -> &'static str {
        let [english, german] = match self {
            Self::Pictures => ["Pictures", "Bilder"],
            Self::Videos => ["Videos", "Videos"],
            Self::Audio => ["Audio", "Audio"],
            Self::Documents => ["Documents", "Dokumente"],
            Self::Spreadsheets => ["Spreadsheets", "Tabellen"],
            Self::Presentations => ["Presentations", "Präsentationen"],
            Self::Books => ["E-books", "E-Books"],
            Self::Archives => ["Archives", "Archive"],
            Self::Programs => ["Programs", "Programme"],
            Self::Fonts => ["Fonts", "Schriften"],
            Self::Code => ["Code", "Quelltext"],
            Self::Data => ["Data", "Daten"],
            Self::Other => ["Other", "Sonstiges"],
        };
        match language {
            Language::English => english,
            Language::German => german,
        }
    }

    /// The type of a file, from its media type (RFC 6838, lower case; empty if not known) and its name. The content decides,
    /// except where its media type only says how the file is packed or written: then the ending of the name does.
    pub fn of(media_type: &str, name: &str) -> Self {
        let by_name = match (extension(name).as_str(), media_type.split('/').next()) {
            // a private key in text, not a presentation
            ("key", Some("text")) => Some(Self::Data),
            (extension, _) => by_extension(extension),
        };
        match by_media_type(media_type) {
            Known::Exactly(exact) => exact,
            Known::Roughly(rough) => by_name.unwrap_or(rough),
        }
    }
}

/// What a media type says.
enum Known {
    /// The type.
    Exactly(Type),
    /// The type of a file whose name says nothing.
    Roughly(Type),
}

fn by_media_type(media_type: &str) -> Known {
    use Known::{Exactly, Roughly};
    use Type::*;
    let (top, sub) = media_type.split_once('/').unwrap_or((media_type, ""));
    match (top, sub) {
        ("image", "vnd.djvu" | "x-djvu") => Exactly(Documents),
        ("image", _) => Exactly(Pictures),
        ("video", _) => Exactly(Videos),
        ("audio", _) => Exactly(Audio),
        ("font", _) => Exactly(Fonts),
        ("model", _) => Exactly(Data),
        ("message", "rfc822") => Exactly(Documents),
        // plain text may be anything that is written as text; so may be its registered relatives
        ("text", "html" | "markdown" | "rtf" | "troff" | "x-tex" | "x-latex") => Roughly(Documents),
        ("text", "csv" | "tab-separated-values") => Exactly(Spreadsheets),
        ("text", "calendar" | "vcard" | "x-vcard" | "xml" | "vtt" | "x-yaml" | "yaml") => Roughly(Data),
        ("text", "css" | "javascript") => Roughly(Code),
        ("text", sub) if sub.starts_with("x-") => Roughly(Code),
        ("text", _) => Roughly(Documents),
        ("application", sub) => application(sub),
        _ => Roughly(Other),
    }
}

fn application(sub: &str) -> Known {
    use Known::{Exactly, Roughly};
    use Type::*;
    match sub {
        "pdf" | "msword" | "rtf" | "postscript" | "vnd.apple.pages" | "vnd.ms-outlook" | "oxps"
        | "vnd.ms-xpsdocument" => Exactly(Documents),
        "vnd.ms-excel" | "vnd.apple.numbers" => Exactly(Spreadsheets),
        "vnd.ms-powerpoint" | "vnd.apple.keynote" => Exactly(Presentations),
        "epub+zip" | "x-mobipocket-ebook" | "vnd.amazon.ebook" | "x-fictionbook+xml" | "vnd.comicbook+zip"
        | "vnd.comicbook-rar" | "x-cbr" | "x-cbz" => Exactly(Books),
        "ogg" | "x-matroska" => Roughly(Videos),
        "mp4" => Exactly(Videos),
        "vnd.microsoft.portable-executable"
        | "x-msdownload"
        | "x-executable"
        | "x-pie-executable"
        | "x-mach-binary"
        | "x-sharedlib"
        | "x-elf"
        | "vnd.android.package-archive"
        | "vnd.debian.binary-package"
        | "x-debian-package"
        | "x-rpm"
        | "x-msi"
        | "x-apple-diskimage"
        | "vnd.flatpak"
        | "x-iso9660-appimage"
        | "x-appimage"
        | "java-archive" => Exactly(Programs),
        "vnd.ms-fontobject" | "vnd.ms-opentype" | "x-font-ttf" | "x-font-otf" | "font-sfnt" | "font-woff" => {
            Exactly(Fonts)
        }
        "x-7z-compressed"
        | "vnd.rar"
        | "x-rar-compressed"
        | "x-tar"
        | "x-bzip"
        | "x-bzip2"
        | "x-xz"
        | "x-lzip"
        | "x-lz4"
        | "x-lzma"
        | "x-cpio"
        | "x-compress"
        | "x-iso9660-image"
        | "vnd.ms-cab-compressed"
        | "x-archive"
        | "x-unix-archive"
        | "zstd"
        | "gzip"
        | "zip" => Roughly(Archives),
        "x-sqlite3" | "vnd.sqlite3" | "geo+json" | "gpx+xml" | "vnd.google-earth.kml+xml" | "wasm" => Roughly(Data),
        "json" | "xml" | "yaml" | "toml" | "x-ndjson" | "ld+json" | "vnd.apache.parquet" => Roughly(Data),
        "javascript" | "ecmascript" | "x-sh" | "x-shellscript" | "x-python" | "x-perl" | "x-php" | "x-ruby"
        | "typescript" => Roughly(Code),
        sub if sub.starts_with("vnd.openxmlformats-officedocument.") || sub.starts_with("vnd.oasis.opendocument.") => {
            office(sub)
        }
        sub if sub.starts_with("vnd.ms-word") => Exactly(Documents),
        sub if sub.starts_with("vnd.ms-excel") => Exactly(Spreadsheets),
        sub if sub.starts_with("vnd.ms-powerpoint") => Exactly(Presentations),
        _ => Roughly(Other),
    }
}

fn office(sub: &str) -> Known {
    use Type::*;
    Known::Exactly(if sub.contains("spreadsheet") {
        Spreadsheets
    } else if sub.contains("presentation") {
        Presentations
    } else if sub.contains("graphics") || sub.contains("image") {
        Pictures
    } else {
        Documents
    })
}

/// By the extension in lower case, without its dot.
fn by_extension(extension: &str) -> Option<Type> {
    use Type::*;
    Some(match extension {
        "jpg" | "jpeg" | "jpe" | "jfif" | "png" | "gif" | "bmp" | "tif" | "tiff" | "webp" | "avif" | "heic"
        | "heif" | "jxl" | "jp2" | "svg" | "svgz" | "ico" | "psd" | "psb" | "xcf" | "kra" | "ora" | "ai" | "eps"
        | "cdr" | "afphoto" | "afdesign" | "sketch" | "fig" | "drawio" | "odg" | "cr2" | "cr3" | "crw" | "nef"
        | "nrw" | "arw" | "srf" | "sr2" | "dng" | "orf" | "rw2" | "raf" | "pef" | "srw" | "x3f" | "3fr" | "iiq"
        | "exr" | "hdr" | "tga" | "xmp" | "aae" | "clip" | "procreate" => Pictures,
        "mp4" | "m4v" | "mov" | "mkv" | "avi" | "webm" | "wmv" | "flv" | "mpg" | "mpeg" | "m2ts" | "mts" | "3gp"
        | "3g2" | "ogv" | "vob" | "asf" | "rm" | "rmvb" | "srt" | "vtt" | "ass" | "ssa" | "sub" | "prproj" => Videos,
        "mp3" | "m4a" | "m4b" | "aac" | "flac" | "ogg" | "oga" | "opus" | "wav" | "wma" | "aif" | "aiff" | "ape"
        | "wv" | "mid" | "midi" | "amr" | "caf" | "m3u" | "m3u8" | "pls" | "cue" | "lrc" | "musicxml" | "mxl"
        | "mscz" | "gp5" | "als" | "flp" => Audio,
        "pdf" | "doc" | "docx" | "docm" | "dot" | "dotx" | "odt" | "ott" | "rtf" | "txt" | "text" | "md"
        | "markdown" | "rst" | "adoc" | "tex" | "pages" | "wpd" | "wps" | "xps" | "oxps" | "djvu" | "ps" | "html"
        | "htm" | "xhtml" | "mht" | "mhtml" | "webarchive" | "eml" | "msg" | "gdoc" | "log" | "one" | "p7m" | "nfo"
        | "vsd" | "vsdx" | "pub" => Documents,
        "xls" | "xlsx" | "xlsm" | "xlsb" | "xlt" | "xltx" | "ods" | "ots" | "csv" | "tsv" | "numbers" | "gsheet"
        | "gnumeric" => Spreadsheets,
        "ppt" | "pptx" | "pptm" | "pps" | "ppsx" | "pot" | "potx" | "odp" | "otp" | "key" | "gslides" => Presentations,
        "epub" | "mobi" | "azw" | "azw3" | "kfx" | "fb2" | "lit" | "cbz" | "cbr" | "cb7" | "ibooks" | "acsm" => Books,
        "zip" | "7z" | "rar" | "tar" | "gz" | "tgz" | "bz2" | "tbz2" | "xz" | "txz" | "zst" | "lz" | "lz4" | "lzma"
        | "z" | "cab" | "arj" | "lzh" | "cpio" | "br" | "iso" | "img" | "vhd" | "vhdx" | "vmdk" | "vdi" | "qcow2"
        | "ova" | "toast" => Archives,
        "exe" | "msi" | "msix" | "appx" | "bat" | "cmd" | "deb" | "rpm" | "apk" | "aab" | "xapk" | "ipa" | "dmg"
        | "pkg" | "mpkg" | "appimage" | "snap" | "flatpak" | "flatpakref" | "jar" | "run" | "xpi" | "crx" | "vsix"
        | "dll" | "so" | "dylib" | "desktop" | "lnk" => Programs,
        "ttf" | "otf" | "ttc" | "woff" | "woff2" | "eot" | "pfb" | "afm" => Fonts,
        "rs" | "py" | "ipynb" | "js" | "mjs" | "cjs" | "ts" | "tsx" | "jsx" | "c" | "h" | "cc" | "cpp" | "cxx"
        | "hpp" | "cs" | "java" | "kt" | "kts" | "scala" | "go" | "rb" | "php" | "pl" | "pm" | "lua" | "r" | "jl"
        | "swift" | "m" | "mm" | "sh" | "bash" | "zsh" | "fish" | "ps1" | "psm1" | "vbs" | "sql" | "css" | "scss"
        | "sass" | "less" | "vue" | "svelte" | "hs" | "ml" | "fs" | "ex" | "exs" | "erl" | "clj" | "dart" | "zig"
        | "nim" | "asm" | "s" | "cmake" | "gradle" | "diff" | "patch" | "ino" | "el" | "vim" | "groovy" | "wat"
        | "wit" => Code,
        "json" | "jsonl" | "ndjson" | "xml" | "yaml" | "yml" | "toml" | "ini" | "cfg" | "conf" | "plist" | "db"
        | "sqlite" | "sqlite3" | "mdb" | "accdb" | "parquet" | "avro" | "arrow" | "feather" | "hdf5" | "h5" | "nc"
        | "mat" | "sav" | "dta" | "rds" | "rdata" | "npy" | "npz" | "pkl" | "dbf" | "shp" | "geojson" | "gpx"
        | "kml" | "kmz" | "fit" | "tcx" | "ics" | "vcf" | "ldif" | "bib" | "ris" | "stl" | "obj" | "3mf" | "step"
        | "stp" | "iges" | "dwg" | "dxf" | "skp" | "blend" | "fbx" | "glb" | "gltf" | "usdz" | "gcode" | "xsd"
        | "xsl" | "proto" | "pem" | "crt" | "cer" | "p12" | "pfx" | "asc" | "sig" | "gpg" | "wasm" | "torrent"
        | "qif" | "ofx" | "mt940" => Data,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_decides_where_it_says_enough() {
        for (media_type, name, expected) in [
            ("image/jpeg", "scan.pdf", Type::Pictures),
            ("application/pdf", "picture.jpg", Type::Documents),
            ("", "IMG.JPG", Type::Pictures),
            ("", "no-idea", Type::Other),
            ("application/octet-stream", "x.weird", Type::Other),
            ("application/octet-stream", "setup.AppImage", Type::Programs),
            ("application/zip", "report.docx", Type::Documents),
            ("application/zip", "a.zip", Type::Archives),
            ("application/zip", "book.epub", Type::Books),
            ("application/zip", "download", Type::Archives),
            ("application/gzip", "a.tar.gz", Type::Archives),
            ("application/gzip", "drawing.svgz", Type::Pictures),
            ("text/plain", "main.rs", Type::Code),
            ("text/plain", "table.csv", Type::Spreadsheets),
            ("text/plain", "letter", Type::Documents),
            ("text/x-shellscript", "install", Type::Code),
            ("text/calendar", "term.ics", Type::Data),
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "x.bin", Type::Spreadsheets),
            ("application/vnd.oasis.opendocument.presentation", "x", Type::Presentations),
            ("application/x-ole-storage", "old.xls", Type::Spreadsheets),
            ("application/x-executable", "tool", Type::Programs),
            ("video/mp2t", "film.ts", Type::Videos),
            ("text/plain", "app.ts", Type::Code),
            ("text/plain", "server.key", Type::Data),
            ("application/zip", "talk.key", Type::Presentations),
            ("font/woff2", "a.woff2", Type::Fonts),
            ("audio/mpeg", "song.mp3", Type::Audio),
            ("application/ogg", "speech.ogg", Type::Audio),
        ] {
            assert_eq!(Type::of(media_type, name), expected, "{media_type} {name}");
        }
    }

    #[test]
    fn every_folder_has_its_own_name() {
        for language in Language::ALL {
            let mut names: Vec<String> =
                Type::ALL.iter().map(|kind| deskhand_filing::name::key(kind.folder(language))).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), Type::ALL.len());
        }
    }
}
