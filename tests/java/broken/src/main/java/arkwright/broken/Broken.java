package arkwright.broken;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** A module whose start fails. */
@SpringBootApplication
public class Broken {
    public Broken() {
        throw new IllegalStateException("this module never starts");
    }

    public static void main(String[] arguments) {
        SpringApplication.run(Broken.class, arguments);
    }
}
