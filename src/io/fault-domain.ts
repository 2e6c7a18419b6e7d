// What fails together: a node with all its timers and sockets. An exception that nobody expected says that the state it
// left behind cannot be trusted, so nothing of the domain runs any more. Nodes that share a process are domains of their
// own: the fault of one ends neither the others nor the process.
//
// Whatever begins while a domain is current belongs to it: timers (clock.ts), listeners and connections (sockets.ts) and
// locks remember it, and what they call runs in it.

/** What a domain holds open. */
export interface Resource {
  /** Ends it at once; tells nobody in the domain. */
  abort(): void;
}

let current: FaultDomain | undefined;

/** Makes a domain the current one; returns what was. */
function become(domain: FaultDomain | undefined): FaultDomain | undefined {
  const before = current;
  current = domain;
  return before;
}

export class FaultDomain {
  readonly #resources = new Set<Resource>();
  #hasFailed = false;

  /** @param failed told of the first exception; what the domain holds open is still open then */
  constructor(private readonly failed: (cause: unknown) => void) {}

  /** The domain of what runs now. */
  static get current(): FaultDomain | undefined {
    return current;
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Ends the resource with the domain; at once when that has failed already. */
  own(resource: Resource): void {
    if (this.#hasFailed) return resource.abort();
    this.#resources.add(resource);
  }

  disown(resource: Resource): void {
    this.#resources.delete(resource);
  }

  /** Runs work in the domain, unless that has failed; an exception fails it. Makes no closure. */
  run<A, B>(work: (a: A, b: B) => void, a: A, b: B): void {
    if (this.#hasFailed) return;
    const outer = become(this);
    try {
      work(a, b);
    } catch (error) {
      this.fail(error);
    } finally {
      become(outer);
    }
  }

  /** Runs work in the domain for a caller who deals with its exceptions. */
  within<T>(work: () => T): T {
    const outer = become(this);
    try {
      return work();
    } finally {
      become(outer);
    }
  }

  /** The first time: tells of it, and ends all that the domain holds open. */
  fail(cause: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    try {
      this.failed(cause);
    } finally {
      this.abort();
    }
  }

  /** Ends all that the domain holds open. */
  abort(): void {
    const resources = [...this.#resources];
    this.#resources.clear();
    let problem: unknown;
    for (const resource of resources) {
      try {
        resource.abort();
      } catch (error) {
        problem ??= error; // the others are to be ended all the same
      }
    }
    if (problem !== undefined) throw problem;
  }
}

/** `work` as what the current domain does, for whoever calls it later. */
export function contained<A extends readonly unknown[]>(work: (...args: A) => void): (...args: A) => void {
  const domain = current;
  if (domain === undefined) return work;
  return (...args) => domain.run(call, work, args);
}

function call<A extends readonly unknown[]>(work: (...args: A) => void, args: A): void {
  work(...args);
}
