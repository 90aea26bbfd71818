// The smallest page that shows an answer while it streams: each delta is appended to one text node, and the end stays
// in view.
const answer = document.querySelector('.answer');
const field = document.querySelector('textarea');

field.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  void ask(field.value);
});

async function ask(message) {
  const text = answer.appendChild(document.createTextNode(''));
  const response = await fetch('/api/chat/send', {
    method: 'POST',
    body: JSON.stringify({ message }),
    headers: {
      Authorization: `Bearer ${sessionStorage.getItem('turnkeeper.token')}`,
      Accept: 'text/event-stream',
      'Content-Type': 'application/json',
    },
  });
  let rest = '';
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + part).split('\n\n');
    rest = events.pop();
    for (const event of events) {
      if (!event.includes('event: delta\n')) continue;
      text.appendData(JSON.parse(event.slice(event.indexOf('data: ') + 6)).text);
      answer.scrollTop = answer.scrollHeight;
    }
  }
}
