// Gives each request of the conformance suite the token of the server, for the suite itself cannot be told one.
import { createRequire } from "node:module";

const { Agent, setGlobalDispatcher } = createRequire(`${process.env.MODULES}/`)("undici");
const token = ["authorization", `Bearer ${process.env.TOKEN}`];

// Headers come as an object, as pairs, or as names and values by turns.
const withToken = (headers) => {
  if (!headers?.[Symbol.iterator]) return { ...headers, [token[0]]: token[1] };
  return [...headers].flat().concat(token);
};
const bearing = (dispatch) => (request, handler) => dispatch({ ...request, headers: withToken(request.headers) }, handler);
setGlobalDispatcher(new Agent().compose(bearing));
