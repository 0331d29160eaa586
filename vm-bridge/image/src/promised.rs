//! What an image has, as it is told to people and to the model. Tests look for each of these in a guest and in the documentation.

/// Programs that are worth a word to the model.
pub const PROGRAMS: [&str; 18] = [
    "curl",
    "file",
    "gawk",
    "git",
    "jq",
    "make",
    "node",
    "npm",
    "pdftotext",
    "pip",
    "qpdf",
    "rg",
    "rsync",
    "sqlite3",
    "unzip",
    "wget",
    "xmllint",
    "zip",
];

/// Programs that are expected on any Linux.
pub const USUAL: [&str; 33] = [
    "awk", "bc", "bzip2", "cmp", "column", "diff", "envsubst", "find", "flock", "getopt", "grep", "gzip", "hexdump",
    "hostname", "kill", "less", "more", "openssl", "patch", "perl", "ps", "pgrep", "python", "python3", "rev", "sed",
    "sh", "tar", "tree", "which", "xxd", "xz", "zstd",
];

/// Modules of Python, as they are imported.
pub const MODULES: [&str; 18] = [
    "PIL",
    "bs4",
    "docx",
    "lxml",
    "matplotlib",
    "numpy",
    "odf",
    "openpyxl",
    "pandas",
    "pptx",
    "pypdf",
    "reportlab",
    "requests",
    "scipy",
    "tabulate",
    "xlrd",
    "xlsxwriter",
    "yaml",
];
