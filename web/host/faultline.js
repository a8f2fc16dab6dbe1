// <faultline-lesson lesson="ID" title="TITLE">: starts on click. MIT OR Apache-2.0.
{
	const base = new URL('.', document.currentScript.src).href, tag = 'faultline-lesson';
	const add = (to, name, what) => to.appendChild(Object.assign(document.createElement(name), what));
	const style = `:host{display:block;position:relative;aspect-ratio:40/21;border-radius:9px;overflow:clip}button{all:unset;position:absolute;inset:0;cursor:pointer;display:grid;place-content:center;gap:8px;text-align:center;font:600 18px system-ui;background:light-dark(#eef,#222) center/cover;color:CanvasText}
button:focus-visible{outline:3px solid #15d;outline-offset:-3px}span{background:Canvas;padding:4px;border-radius:8px}
iframe{display:block;width:100%;height:39em;border:0}`;
	customElements.get(tag) || customElements.define(tag, class extends HTMLElement {
		#asked = new Map();
		#id = 0;
		#ready;
		#frame;
		connectedCallback() {
			if (this.shadowRoot) return;
			const shadow = this.attachShadow({ mode: 'open' });
			add(shadow, 'style', { textContent: style });
			const button = add(shadow, 'button', { onclick: () => this.load().then(() => this.#frame.focus(), () => 0) });
			for (const textContent of [this.title || this.textContent.trim() || 'Faultline', 'Start ▶']) add(button, 'span', { textContent });
			const lesson = this.#query().get('lesson'), still = this.getAttribute('still') ?? (lesson && `${base}lesson/${lesson}/still.png`);
			if (still) button.style.backgroundImage = `url(${JSON.stringify(still)})`;
		}
		#query() {
			const query = new URLSearchParams((this.getAttribute('link') || '?v=2').replace(/^[^?]*/, ''));
			query.set('embed', 1);
			for (const { name, value } of this.attributes) /^(id|class|style|title|link|still)$/.test(name) || query.set(name, value);
			return query;
		}
		load() {
			return this.#ready ||= new Promise((ready, refuse) => {
				this.shadowRoot.lastChild.remove();
				const frame = this.#frame = add(this.shadowRoot, 'iframe', { title: this.title || 'Faultline', allow: 'fullscreen', sandbox: 'allow-scripts allow-popups allow-popups-to-escape-sandbox', src: `${base}?${this.#query()}` });
				addEventListener('message', ({ source, data }) => {
					if (source !== frame.contentWindow || data?.faultline !== 1) return;
					const { news, id } = data;
					if (news === 'resize') frame.style.height = data.height + 'px';
					else if (news) this.dispatchEvent(new CustomEvent('faultline-' + news, { detail: data, bubbles: true }));
					else this.#asked.get(id)?.(data);
					if (news === 'ready') ready(data.state);
					if (news === 'error') refuse(new Error(data.problems.join('\n')));
				});
			});
		}
		async send(command, fields) {
			await this.load();
			const id = ++this.#id;
			this.#frame.contentWindow.postMessage({ ...fields, do: command, faultline: 1, id }, '*');
			const told = await new Promise((done) => this.#asked.set(id, done));
			if (!told.ok) throw new Error(told.problems.join('\n'));
			return told.state;
		}
	});
}
