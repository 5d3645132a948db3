/** What `index.html` shows until the scripts are there, while there is nothing to say yet. */
export function First() {
  return (
    <div className="aura-first">
      <img src="/static/icon.svg" width={28} height={28} alt="" /> AURA
    </div>
  );
}
