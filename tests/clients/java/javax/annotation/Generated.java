package javax.annotation;

/** The only thing that the generated sources want and no Java since 11 has. */
public @interface Generated {
  String value();

  String date() default "";

  String comments() default "";
}
