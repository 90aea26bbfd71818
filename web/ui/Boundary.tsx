import { Component, type ReactNode } from 'react';
import { queries } from '../session/keep.ts';
import { isLost, reloadForNewer } from '../session/reload.ts';

interface BoundaryProps {
  /** What stands where drawing failed. `again` draws it anew, from data asked for anew. */
  readonly fallback: (error: unknown, again: () => void) => ReactNode;
  /** What is drawn: another one has its own chance. */
  readonly of?: unknown;
  readonly children: ReactNode;
}

interface BoundaryState {
  readonly failed: { readonly error: unknown } | null;
}

/**
 * What fails to be drawn takes nothing beside it along: without one React takes the whole page away, what is being
 * written too.
 */
export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override readonly state: BoundaryState = { failed: null };

  static getDerivedStateFromError(error: unknown) {
    return { failed: { error } };
  }

  override componentDidCatch(error: unknown) {
    if (isLost(error)) void reloadForNewer();
  }

  override componentDidUpdate({ of }: BoundaryProps) {
    if (of !== this.props.of && this.state.failed !== null) this.setState({ failed: null });
  }

  override render() {
    const { failed } = this.state;
    return failed === null ? this.props.children : this.props.fallback(failed.error, this.#again);
  }

  /** What nothing shows any more is what the failed part was drawn from, and perhaps why it failed. */
  readonly #again = () => {
    queries.removeQueries({ type: 'inactive' });
    this.setState({ failed: null });
  };
}
