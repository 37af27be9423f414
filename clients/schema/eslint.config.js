// What schema.graphqls must keep to. It runs from the top of the repository: make schema-check.

import graphql from '@graphql-eslint/eslint-plugin';

export default [
  {
    files: ['**/*.graphqls'],
    plugins: { '@graphql-eslint': graphql },
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: 'schema.graphqls' } },
    },
    rules: {
      ...graphql.configs['flat/schema-all'].rules,
      ...graphql.configs['flat/schema-relay'].rules,

      // The schema is the contract: every argument and field is described, not types alone.
      '@graphql-eslint/require-description': [
        'error',
        {
          types: true,
          DirectiveDefinition: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
        },
      ],

      // Types and fields stand in the order of the upstream's reference, so that both can be read side by side.
      '@graphql-eslint/alphabetize': 'off',

      // A description of one line is an inline one, a longer one is a block; the rule knows one style for both.
      '@graphql-eslint/description-style': 'off',

      // Lists of the upstream that are no connections are short and come whole: events, ports, names. The rule's other checks stay.
      '@graphql-eslint/relay-edge-types': ['error', { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false }],

      // Relay keeps what has an id under it alone, whatever its type: only a Node has one. A type that is new must say which it is.
      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          exceptions: {
            types: [
              'ComposeFile',
              'CvmConnection',
              'CvmEdge',
              'CvmNode',
              'Gpu',
              'GpuConfig',
              'HostedVm',
              'KmsInfo',
              'ManagedUser',
              'PageInfo',
              'PortMapping',
              'PublicUrl',
              'VmConfiguration',
              'VmEvent',
            ],
          },
        },
      ],
    },
  },
];
