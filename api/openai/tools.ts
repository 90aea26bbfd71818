import type { ApiParameters, ResponseFormat, ToolChoice } from '../../domain/api-prompt.ts';
import { AppError } from '../../domain/errors.ts';
import { known } from './known.ts';

/** A function that a caller offers to the model, as both protocols have it. */
export interface AskedTool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly parameters?: object | undefined;
  readonly strict?: boolean | null | undefined;
}

interface AskedTools {
  readonly tools: readonly AskedTool[];
  readonly choice: Extract<ToolChoice, string> | { readonly name: string } | undefined;
  readonly parallel: boolean | undefined;
  /** Where the name of a tool stands in the body. */
  nameOf(i: number): string;
}

/**
 * What is said about tools, as it goes to the model; without a tool it means nothing.
 * @throws AppError invalid_request: a choice that names none of the tools, two tools of one name.
 */
export function readTools({
  tools,
  choice,
  parallel,
  nameOf,
}: AskedTools): Pick<ApiParameters, 'tools' | 'tool_choice' | 'parallel_tool_calls'> {
  const names = tools.map(({ name }) => name);
  const twice = names.findIndex((name, i) => names.indexOf(name) < i);
  if (twice >= 0) throw new AppError('invalid_request', { field: nameOf(twice), reason: 'is that of another tool' });
  if (typeof choice === 'object' ? !names.includes(choice.name) : choice === 'required' && tools.length === 0)
    throw new AppError('invalid_request', { field: 'tool_choice', reason: 'must name one of the tools' });
  if (tools.length === 0) return {};
  const tool_choice =
    typeof choice === 'object' ? { type: 'function' as const, function: { name: choice.name } } : choice;
  return {
    tools: tools.map(({ name, description, parameters, strict }) => ({
      type: 'function' as const,
      function: { name, ...known({ description, strict, parameters: textOfSchema(parameters) }) },
    })),
    ...known({ tool_choice, parallel_tool_calls: parallel }),
  };
}

type AskedFormat =
  | { readonly type: 'text' | 'json_object' }
  | (Omit<AskedTool, 'parameters'> & { readonly type: 'json_schema'; readonly schema?: object | undefined });

/** The format of the answer as it goes to the model. */
export function readFormat(format: AskedFormat): ResponseFormat {
  if (format.type !== 'json_schema') return { type: format.type };
  const { name, description, schema, strict } = format;
  return {
    type: 'json_schema',
    json_schema: { name, ...known({ description, strict, schema: textOfSchema(schema) }) },
  };
}

function textOfSchema(schema: object | undefined): string | undefined {
  return schema === undefined ? undefined : JSON.stringify(schema);
}
