import { Component, type ReactNode } from 'react';
import { queries } from '../session/keep.ts';
import { isLost, reloadForNewer } from '../session/reload.ts';

interface BoundaryProps {
  /** Draws what shows in place of the failed part. `again` draws the part anew, from data that is asked for anew. */
  readonly fallback: (error: unknown, again: () => void) => ReactNode;
  /** Identifies what is drawn: when it changes, drawing is tried again. */
  readonly of?: unknown;
  readonly children: ReactNode;
}

interface BoundaryState {
  readonly failed: { readonly error: unknown } | null;
}

/**
 * Keeps a part that fails to be drawn from taking the rest along. Without it React removes the whole page, drafts
 * included.
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

  /**
   * Drops cached data that nothing shows any more: the failed part was drawn from it, and it may be why drawing failed.
   */
  readonly #again = () => {
    queries.removeQueries({ type: 'inactive' });
    this.setState({ failed: null });
  };
}
