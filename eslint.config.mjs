import tseslint from 'typescript-eslint';

/** What a machine can check of docs/style.md beyond the compiler and test/tidy.test.ts. */
export default tseslint.config(
  { ignores: ['node_modules/', '.turnkeeper/', 'coverage/'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A forgotten await is a lost error; `void` says that nobody waits on purpose.
      '@typescript-eslint/no-floating-promises': 'error',
    },
  },
);
