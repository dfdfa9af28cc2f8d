/**
 * A lint rule: a statement may not drop a Result, since a failure would go unseen.
 * (`no-floating-promises` knows the asynchronous ones only.)
 *
 * @type {import("eslint").Rule.RuleModule}
 */
export const noFloatingResult = {
  meta: {
    type: "problem",
    messages: { dropped: "This Result is dropped, and a failure with it: handle it." },
  },
  create(context) {
    return {
      ExpressionStatement(node) {
        const type = context.sourceCode.parserServices.getTypeAtLocation(node.expression);
        if (type.getProperty("getOrThrow")) context.report({ node, messageId: "dropped" });
      },
    };
  },
};
