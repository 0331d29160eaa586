//! The door to the host, natively: the test host that is current on this thread.

use crate::{
    Result,
    changes::{Move, Pending, RawDecision},
    content::{Content, ToolOutput},
    files::{Entry, Folder, Page},
    http::{Request, Response},
    log::Level,
    path::FilePath,
    store::Item,
    testing::current,
    user::Choice,
};

pub(crate) fn log(level: Level, message: &str, fields: &[(&str, &str)]) {
    current(|host| host.log(level, message, fields));
}

pub(crate) fn config() -> String {
    current(|host| host.config())
}

pub(crate) fn context() -> String {
    current(|host| host.context())
}

pub(crate) fn cancelled() -> bool {
    current(|host| host.cancelled())
}

pub(crate) fn progress(message: &str, share: Option<f32>) {
    current(|host| host.progress(message, share));
}

pub(crate) fn emit(part: Content) {
    current(|host| host.emit(part));
}

pub(crate) fn folders() -> Vec<Folder> {
    current(|host| host.folders())
}

pub(crate) fn walk(
    root: &FilePath,
    glob: Option<&str>,
    options: &str,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page> {
    current(|host| host.walk(root, glob, options, cursor, limit))
}

pub(crate) fn stat(paths: &[FilePath]) -> Vec<Result<Entry>> {
    current(|host| paths.iter().map(|path| host.stat(path)).collect())
}

pub(crate) fn read(path: &FilePath, if_version: Option<&str>, offset: u64, length: u32) -> Result<Vec<u8>> {
    current(|host| host.read(path, if_version, offset, length))
}

pub(crate) fn digest(paths: &[FilePath]) -> Vec<Result<String>> {
    current(|host| paths.iter().map(|path| host.digest(path)).collect())
}

pub(crate) fn attributes(paths: &[FilePath], names: &[&str]) -> Vec<Result<String>> {
    current(|host| paths.iter().map(|path| host.attributes(path, names)).collect())
}

pub(crate) fn make_folder(path: &FilePath) -> Result<u64> {
    current(|host| host.make_folder(path))
}

pub(crate) fn write(path: &FilePath, bytes: &[u8], if_version: Option<&str>) -> Result<u64> {
    current(|host| host.write(path, bytes, if_version))
}

pub(crate) fn move_file(source: &FilePath, version: &str, target: &FilePath, over: Option<&str>) -> Result<u64> {
    current(|host| host.move_file(source, version, target, over))
}

pub(crate) fn move_all(moves: &[Move<'_>]) -> Vec<Result<u64>> {
    let one = |one: &Move<'_>| {
        let id = move_file(&one.file.path, &one.file.version.0, &one.target, None)?;
        if !one.reason.is_empty() {
            let _ = explain(id, one.reason); // what moves home again is no change any more
        }
        Ok(id)
    };
    moves.iter().map(one).collect()
}

pub(crate) fn copy(source: &FilePath, version: &str, target: &FilePath, over: Option<&str>) -> Result<u64> {
    current(|host| host.copy(source, version, target, over))
}

pub(crate) fn remove(path: &FilePath, version: &str) -> Result<u64> {
    current(|host| host.remove(path, version))
}

pub(crate) fn expect(change: u64, path: &FilePath, version: &str) -> Result<()> {
    current(|host| host.expect(change, path, version))
}

pub(crate) fn explain(change: u64, reason: &str) -> Result<()> {
    current(|host| host.explain(change, reason))
}

pub(crate) fn withdraw(change: u64) -> Result<()> {
    current(|host| host.withdraw(change))
}

pub(crate) fn pending(after: Option<u64>, limit: u32) -> Result<Vec<Pending>> {
    Ok(current(|host| host.pending(after, limit)))
}

pub(crate) fn propose(title: &str, view: &str) -> Result<RawDecision> {
    current(|host| host.propose(title, view))
}

pub(crate) fn notify(message: &str) -> Result<()> {
    current(|host| host.notify(message));
    Ok(())
}

pub(crate) fn confirm(question: &str) -> Result<bool> {
    current(|host| host.confirm(question))
}

pub(crate) fn choose(question: &str, choices: &[Choice]) -> Result<String> {
    current(|host| host.choose(question, choices))
}

pub(crate) fn ask(question: &str, schema: &str) -> Result<String> {
    current(|host| host.ask(question, schema))
}

pub(crate) fn store_get(key: &str) -> Result<Option<Item>> {
    Ok(current(|host| host.store_get(key)))
}

pub(crate) fn store_put(key: &str, value: &[u8], if_version: Option<u64>) -> Result<u64> {
    current(|host| host.store_put(key, value, if_version))
}

pub(crate) fn store_delete(key: &str) -> Result<()> {
    current(|host| host.store_delete(key));
    Ok(())
}

pub(crate) fn store_list(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>> {
    Ok(current(|host| host.store_list(prefix, after, limit)))
}

pub(crate) fn call_tool(tool: &str, arguments: &str) -> Result<ToolOutput> {
    // a tool of a test may itself call the host, so the host is not held while it runs
    let tool = current(|host| host.tool(tool))?;
    tool(serde_json::from_str(arguments)?)
}

pub(crate) fn call_tools(calls: &[(String, String)]) -> Vec<Result<ToolOutput>> {
    calls.iter().map(|(tool, arguments)| call_tool(tool, arguments)).collect()
}

pub(crate) fn fetch(request: Request) -> Result<Response> {
    // a server of a test may itself look at the host, so the host is not held while it answers
    let server = current(|host| host.fetch(&request))?;
    server(&request)
}

pub(crate) fn connected(credential: &str) -> bool {
    current(|host| host.connected(credential))
}

pub(crate) fn catalog(query: Option<&str>, limit: u32) -> Result<String> {
    Ok(current(|host| host.catalog(query, limit)))
}
