/** A request's body: what is left out has a default in the API, which the generated types do not say. */
export function body<Body extends object>(given: Partial<Body>): Body {
  return given as Body;
}
