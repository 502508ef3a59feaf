/**
 * The client under test: asks a question over a connection of its own, and anew where no answer comes in time. What it
 * stands on is given to it: `connect` opens a socket (WinterTC's shape), `sleep` waits.
 */
export class Client {
  /** Questions that had to be asked again. */
  repeated = 0;
  #connect;
  #sleep;
  #patienceMs;

  constructor({ connect, sleep, patienceMs = 5000 }) {
    this.#connect = connect;
    this.#sleep = sleep;
    this.#patienceMs = patienceMs;
  }

  /** The answer to a line. Pauses between attempts double; after six it gives up. */
  async ask(question) {
    for (let attempt = 1, pauseMs = 500; ; attempt++, pauseMs *= 2) {
      try {
        return await this.#askOnce(question);
      } catch (error) {
        if (attempt === 6) throw error;
        this.repeated++;
        await this.#sleep(pauseMs);
      }
    }
  }

  async #askOnce(question) {
    const socket = this.#connect();
    const late = this.#sleep(this.#patienceMs).then(() => {
      throw new Error(`no answer to "${question}" in ${this.#patienceMs} ms`);
    });
    const answer = this.#exchange(socket, question);
    // Whichever loses is of no interest any more.
    late.catch(() => {});
    answer.catch(() => {});
    try {
      return await Promise.race([answer, late]);
    } finally {
      socket.close().catch(() => {});
    }
  }

  async #exchange(socket, question) {
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode(`${question}\n`));
    writer.releaseLock();
    let text = '';
    for await (const part of socket.readable.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.endsWith('\n')) return text.slice(0, -1);
    }
    throw new Error('the server hung up');
  }
}
